"""The network itself: train, fine-tune, prune, distil, evaluate, export."""
