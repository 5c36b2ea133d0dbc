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
	{
		name: "page",
		commands: `
			tracelab up --listen 127.0.0.1:0 >up.txt & lab=$!
			trap 'kill $lab' EXIT
			until page=$(grep -o 'http://[0-9.:]*' up.txt) && curl -s $page/ >place.html && grep -q 'id="place-all"' place.html; do sleep 0.1; done
			token=$(sed -n 's/.*name="token" content="\([^"]*\)".*/\1/p' place.html)
			curl -s -d token=$token -d form=all $page/place
			until curl -s $page/journeys | grep -q 'kafka 0</a></th><td><span class="state state-completed"'; do sleep 0.1; done
			{ echo '<style>'; curl -s $page/static/style.css $page/static/journeys.css; echo '</style>'; } >style.html
			curl -s "$page/journeys/kafka/0?with=grpc" | sed -e '/<script/d' -e '/rel="stylesheet"/d' -e '/<\/head>/r style.html' >page.html`,
		width: 1000, height: 1130,
	},
}
