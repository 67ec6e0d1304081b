"""The laptop: an AWS endpoint on 127.0.0.1 whose data plane really works, and the commands that run the whole chain."""
