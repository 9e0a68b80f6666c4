"""Harbor's spelling: query language, pages, errors, shapes. No rule lives here."""
