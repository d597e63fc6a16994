"""Pure tensor geometry: cameras, alignment, bones."""
