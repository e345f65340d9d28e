"""The mouth: one file a command. Commands parse words, call a verb of `burnish.flows`, and tell what came of it."""
