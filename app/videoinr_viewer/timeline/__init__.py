"""Where and when: the time sliders, the transport buttons and the time field."""
