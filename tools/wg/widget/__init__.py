"""Building and looking at widgets: C sources to WebAssembly components for the world widget:widget/widget."""
