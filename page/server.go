package page

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"tracelab/experiments"
	"tracelab/lab"
	"tracelab/services/flows"
)

// Config is what a page needs besides its lab.
type Config struct {
	Version string // of the program
	Program string // how it was called, for commands that a person may type
	Jaeger  string // URL of a Jaeger's pages, or ""
	// Reopen opens a lab of another flow in the place of this one; file is the flow's file as it was written. Nil: the page keeps its flow.
	Reopen func(ctx context.Context, flow *flows.Flow, file string) (*lab.Live, error)
	// FlowText is the file of the flow that the first lab runs; "": that of the built-in flow of its name.
	FlowText string
	Claims   experiments.Settings // how claims are run; where their results go has no use
	Logger   *slog.Logger         // nil: none
}

// Server serves the page of a lab. Its methods may be called from any goroutine.
type Server struct {
	config  Config
	views   map[string]*template.Template // by the name of the template's file
	token   string                        // that every form carries
	start   string                        // tells this start of the program from others
	streams chan struct{}                 // has an element for each stream of events
	ended   chan struct{}                 // closed when streams end
	claims  *claimRunner
	flow    flowText
	end     sync.Once
	finals  finalPages // parts of pages of journeys

	changing sync.Mutex // held while conditions are read and set: changes of two tabs do not undo each other

	mu      sync.Mutex
	lab     *lab.Live     // nil while it starts
	failed  error         // why there is none
	changed chan struct{} // closed when there is another lab
	labs    int           // how many times that was
}

// New returns the server of a lab's page. The lab may be nil while it starts: see Use and Fail.
func New(l *lab.Live, c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		config: c, lab: l, token: rand.Text(), start: rand.Text(), streams: make(chan struct{}, mostStreams), ended: make(chan struct{}), changed: make(chan struct{}),
	}
	s.views = s.parseViews()
	s.claims = newClaimRunner(c.Claims, s.claimReport)
	return s
}

// Use makes the page show a lab: the first one, or another one in the place of the one before, which the caller closes. Open pages load anew.
func (s *Server) Use(l *lab.Live) { s.become(l, nil) }

// Fail makes the page say why there is no lab.
func (s *Server) Fail(err error) { s.become(nil, err) }

func (s *Server) become(l *lab.Live, failed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lab, s.failed = l, failed
	close(s.changed)
	s.changed = make(chan struct{})
	s.labs++
}

// Lab is the lab that the page shows; nil while it starts.
func (s *Server) Lab() *lab.Live {
	l, _, _ := s.now()
	return l
}

// now is the lab, what is closed when there is another one, and why there is none.
func (s *Server) now() (l *lab.Live, changed <-chan struct{}, failed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lab, s.changed, s.failed
}

// stamp names this start of the program and the lab of now: a page that was made with another stamp is out of date.
func (s *Server) stamp() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s-%d", s.start, s.labs)
}

// stampKey is the key of a request's stamp in its context.
type stampKey struct{}

// section is a page of the navigation.
type section struct {
	Path, Title string
	// fragments are the live parts of its page at a URL: HTML by the id of the element that it goes into. It may be nil.
	fragments func(l *lab.Live, snapshot lab.Snapshot, at *url.URL) map[string]template.HTML
}

// sections lists the pages in the order of the navigation.
func (s *Server) sections() []section {
	return []section{
		{"/", "Place", s.placeFragments},
		{"/weather", "Weather", s.weatherFragments},
		{"/live", "Live", s.liveFragments},
		{"/journeys", "Journeys", s.journeysFragments},
		{"/claims", "Claims", s.claimFragments},
		{"/flow", "Flow", nil},
	}
}

// sectionOf is the section that a path belongs to.
func (s *Server) sectionOf(path string) section {
	found := s.sections()[0]
	for _, section := range s.sections()[1:] {
		if path == section.Path || strings.HasPrefix(path, section.Path+"/") {
			found = section
		}
	}
	return found
}

// Handler serves the page, behind its guard.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", s.static())
	mux.HandleFunc("GET /events", s.events)
	s.routesOfPlace(mux)
	s.routesOfWeather(mux)
	s.routesOfLive(mux)
	s.routesOfJourneys(mux)
	s.routesOfClaims(mux)
	s.routesOfFlow(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.noSuchPage(mux, w, r) })
	return s.guard(mux)
}

// withLab is a handler that needs the lab: until there is one, a page says so, and a change is refused.
func (s *Server) withLab(do func(w http.ResponseWriter, r *http.Request, l *lab.Live)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(context.WithValue(r.Context(), stampKey{}, s.stamp())) // before the lab is looked at
		l, _, failed := s.now()
		switch {
		case l != nil:
			do(w, r, l)
		case r.Method == http.MethodPost:
			s.refuse(w, r, http.StatusServiceUnavailable, errors.New("the lab is not ready: wait until the page says so"))
		default:
			s.render(w, r, http.StatusOK, "starting.html", "Starting", map[string]any{"Failed": failed})
		}
	}
}

// noSuchPage answers what no route has: a page that is not there, or one that is asked for in the wrong way.
func (s *Server) noSuchPage(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && method != r.Method {
			w.Header().Set("Allow", method)
			s.refuse(w, r, http.StatusMethodNotAllowed, errors.New("this address takes "+method+" only, from a button or form of the page"))
			return
		}
	}
	s.refuse(w, r, http.StatusNotFound, errors.New("there is no such page: use the links above"))
}

// EndStreams ends all streams of events, so that the server can shut down.
func (s *Server) EndStreams() { s.end.Do(func() { close(s.ended) }) }
