"""The lockfile: what a run used and made, as a value and as a file that git can merge."""
