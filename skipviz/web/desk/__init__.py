"""What a browser tab's session holds, and who looks at what: benches, undo, classrooms, cookies. Draws nothing."""
