"""What a browser tab's session holds, and who looks at what: editors, undo, classrooms, cookies. Draws nothing."""
