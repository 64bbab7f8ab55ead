"""The timeline below the picture: sliders, thumbnails, segments, bookmarks, cuts, transport buttons and speed."""
