"""The verbs, one file each: the same names in Python (`burnish.fit`), on the command line and, later, over HTTP."""
