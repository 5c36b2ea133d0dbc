package main

// picture is one of the pictures that README or a tutorial shows.
type picture struct {
	name          string // of the file, without .png
	commands      string // of a shell, in an empty folder, with tracelab on the path; they write page.html
	width, height int    // in pixels
}

var pictures = []picture{
	{
		name: "order",
		commands: `
			tracelab run --forms kafka --orders 20 --rate 10 >report.txt
			tracelab journey runs/latest --format html >page.html`,
		width: 1000, height: 1250,
	},
	{
		name: "outbox",
		commands: `
			tracelab run --forms kafka --orders 20 --rate 200 --store b.db --event 20ms:kill:kafka --event 300ms:start:kafka >report.txt
			tracelab journey runs/latest --format html >page.html`,
		width: 1000, height: 900,
	},
}
