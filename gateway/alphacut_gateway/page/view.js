// Where a picture lies in its frame: fitted, zoomed about a point, moved. Lengths in CSS pixels.

const MOST = 32;

export class View {
  zoom = 1;
  /** The picture's point, as shares of its sides, that lies in the middle of the frame. */
  x = 0.5;
  y = 0.5;
  frame = { width: 1, height: 1 };
  picture = { width: 1, height: 1 };

  /** Return where the picture lies. */
  get rect() {
    const fit = Math.min(this.frame.width / this.picture.width, this.frame.height / this.picture.height);
    const width = this.picture.width * fit * this.zoom;
    const height = this.picture.height * fit * this.zoom;
    this.x = middle(this.x, this.frame.width, width);
    this.y = middle(this.y, this.frame.height, height);
    return {
      left: this.frame.width / 2 - this.x * width,
      top: this.frame.height / 2 - this.y * height,
      width,
      height,
    };
  }

  /** Screen pixels for one of the picture's. */
  get scale() {
    return this.rect.width / this.picture.width;
  }

  fit() {
    this.zoom = 1;
  }

  /** Zoom so that what is at a point of the frame stays there; the frame's middle unless told otherwise. */
  zoomBy(factor, x = this.frame.width / 2, y = this.frame.height / 2) {
    const [shareX, shareY] = this.toPicture(x, y);
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    const { width, height } = this.rect;
    this.x = shareX - (x - this.frame.width / 2) / width;
    this.y = shareY - (y - this.frame.height / 2) / height;
  }

  moveBy(dx, dy) {
    const { width, height } = this.rect;
    this.x -= dx / width;
    this.y -= dy / height;
  }

  /** Return a point of the frame as shares of the picture's sides. */
  toPicture(x, y) {
    const { left, top, width, height } = this.rect;
    return [(x - left) / width, (y - top) / height];
  }

  /** Return the part of the frame, from left to right, that the picture fills. */
  get span() {
    const { left, width } = this.rect;
    return [Math.max(0, left), Math.min(this.frame.width, left + width)];
  }
}

/** Keep the frame filled where the picture is larger, and the picture in the middle where it is smaller. */
function middle(share, frame, picture) {
  if (picture <= frame) return 0.5;
  const half = frame / 2 / picture;
  return Math.min(1 - half, Math.max(half, share));
}
