"""How much of a pretrained model is trained: all of its weights, or small matrices beside them."""
