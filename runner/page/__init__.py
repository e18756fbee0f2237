"""Pages that need nothing but themselves: the common style, charts as SVG, and the frame around both."""
