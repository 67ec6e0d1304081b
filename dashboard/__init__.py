"""The Dash application that shows the lake."""
