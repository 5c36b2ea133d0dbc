package page

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"tracelab/experiments/verdict"
	"tracelab/internal/palette"
	"tracelab/internal/vocabulary"
	"tracelab/journey/report"
	"tracelab/lab"
	"tracelab/services"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// static serves style and script.
func (s *Server) static() http.Handler {
	files := http.FileServerFS(staticFiles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		if strings.HasSuffix(r.URL.Path, "/") { // no listings
			s.refuse(w, r, http.StatusNotFound, fmt.Errorf("there is no file %s", r.URL.Path))
			return
		}
		files.ServeHTTP(w, r)
	})
}

// parseViews reads the templates: each file with the layout. The templates are part of the program, so that they parse whenever its tests pass.
func (s *Server) parseViews() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(s.functions()).ParseFS(templateFiles, "templates/layout.html"))
	template.Must(report.PictureTemplates(layout))
	names, err := fs.Glob(templateFiles, "templates/*.html")
	views := map[string]*template.Template{"layout.html": template.Must(layout.Clone())}
	for _, name := range names {
		if base := path.Base(name); base != "layout.html" {
			views[base] = template.Must(template.Must(layout.Clone()).ParseFS(templateFiles, name))
		}
	}
	template.Must(layout, err)
	return views
}

// functions are those that templates may call, besides the library's.
func (s *Server) functions() template.FuncMap {
	return template.FuncMap{
		"token": func() template.HTML {
			return template.HTML(`<input type="hidden" name="token" value="` + template.HTMLEscapeString(s.token) + `">`)
		},
		"color":        formColor,
		"ms":           msText,
		"plural":       vocabulary.Plural,
		"capital":      capital,
		"verdictClass": func(word verdict.Word) string { return strings.ReplaceAll(string(word), " ", "-") },
	}
}

// formColor is the color of a form, and "" for a form without one: its text's color.
func formColor(form services.Form) string {
	color, ok := palette.Form(string(form))
	if !ok {
		return ""
	}
	return color.Hex
}

// msText writes milliseconds, or a dash for none.
func msText(ms *float64) string {
	switch {
	case ms == nil:
		return "–"
	case *ms < 10:
		return fmt.Sprintf("%.1f ms", *ms)
	case *ms < 10_000:
		return fmt.Sprintf("%.0f ms", *ms)
	}
	return fmt.Sprintf("%.1f s", *ms/1000)
}

// view is what the layout shows around a page; Data is the page's own.
type view struct {
	Title    string
	Section  string // path of the section that it belongs to
	Sections []section
	Version  string
	Token    string
	Start    string
	Flow     string // name of the flow; "" while the lab starts
	Where    lab.Where
	Problems []string
	Data     any
}

// view is a page's view.
func (s *Server) view(r *http.Request, title string, data any) view {
	v := view{Title: title, Section: s.sectionOf(r.URL.Path).Path, Sections: s.sections(), Version: s.config.Version, Token: s.token, Start: s.stamp(), Data: data}
	if made, ok := r.Context().Value(stampKey{}).(string); ok {
		v.Start = made
	}
	if l := s.Lab(); l != nil {
		v.Flow, v.Where = l.Flow().Name, l.Where()
	}
	return v
}

// render answers with a page: the block "main" of a template's file within the layout.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, file, title string, data any) {
	v := s.view(r, title, data)
	if l := s.Lab(); l != nil {
		v.Problems = l.Snapshot().Problems
	}
	var page bytes.Buffer
	if err := s.views[file].ExecuteTemplate(&page, "layout.html", v); err != nil {
		s.config.Logger.Error("a page cannot be made", "page", title, "error", err)
		http.Error(w, "this page cannot be made; the program's log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // who has gone away needs no page
}

// fragment makes a part of a page by a template's name in a file.
func (s *Server) fragment(file, name string, data any) template.HTML {
	var part bytes.Buffer
	if err := s.views[file].ExecuteTemplate(&part, name, data); err != nil {
		s.config.Logger.Error("a part of a page cannot be made", "part", name, "error", err)
		return template.HTML(`<p class="problem">This part cannot be shown; the program's log says why.</p>`)
	}
	return template.HTML(part.String())
}

// answer is what the page's script gets for a change.
type answer struct {
	Say   string                   `json:"say,omitempty"`   // for the status line
	Wrong bool                     `json:"wrong,omitempty"` // nothing was changed, and Say tells why
	Parts map[string]template.HTML `json:"parts,omitempty"` // HTML by the id of its element
	Go    string                   `json:"go,omitempty"`    // a page to go to
}

// done answers a change that was made: the script with words and parts, a browser without it by going to a page.
func (s *Server) done(w http.ResponseWriter, r *http.Request, to string, a answer) {
	if wantsJSON(r) {
		s.answerJSON(w, http.StatusOK, a)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) answerJSON(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(a); err != nil {
		s.config.Logger.Debug("an answer was not taken", "error", err)
	}
}

// refuse says in words why a request is refused. Its page has no token and tells nothing of the lab: whoever asks may be a foreign page.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, why error) {
	if wantsJSON(r) {
		s.answerJSON(w, status, answer{Say: why.Error(), Wrong: true})
		return
	}
	text := s.fragment("refused.html", "refused", map[string]string{"Title": http.StatusText(status), "Why": why.Error()})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, string(text)) // who has gone away needs no answer
}
