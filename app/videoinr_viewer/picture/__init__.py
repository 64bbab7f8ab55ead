"""The picture area: what it shows and how the hand moves it."""
