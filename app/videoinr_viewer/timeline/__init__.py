"""The timeline below the picture: time sliders, transport buttons, time field and speed."""
