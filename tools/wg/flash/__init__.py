"""The flash chip's layout: one table, `layout.toml`, from which everything else that knows it is made."""
