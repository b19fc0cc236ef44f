"""Training and studies; the core never imports them."""
