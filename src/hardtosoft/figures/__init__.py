"""One module a chapter: parameters in, frames out."""
