"""The frame of the console: its navigation, the control room, what every page shows."""
