"""A labelled set of prompts, the training of the classifier that serves the strategy "auto", and what it saves."""
