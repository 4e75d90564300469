"""From any U²-Net ONNX file to engines in a Triton model repository.

registry   what a network expects and where its weights are
  source       load the ONNX file and refuse what cannot be used
  optimise     one output, a free batch axis, constants folded, proved
  fuse         normalisation and mask arithmetic into the graph
  reference    ONNX Runtime in FP32, which every engine is measured against
  install      artefact, manifest and probe into the repository
pipeline   the stages in order, skipped when nothing changed
"""
