"""The live page's parts: what a tick brings, its figures and its facts."""
