"""HTTP: routes that each declare a permission, and the door in front of them."""
