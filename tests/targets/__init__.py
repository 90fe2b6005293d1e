"""Loads the sandbox's customers into real targets, and looks at what they hold then."""
