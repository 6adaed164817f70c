package status

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

// view is what the templates show.
type view struct {
	*State
	Charts   []chart
	Settings []Setting
	Refusals []Refusal
	Lane     *Lane
}

// pages are the templates. They are parsed once, at the start of the program, of a text that is part of it.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"short": shortType, "clock": clock, "size": size, "rate": perSecond, "duration": duration,
	"count":   func(n any) string { return count(toFloat(n)) },
	"ago":     func(now, t time.Time) string { return span(now.Sub(t)) },
	"until":   func(now, t time.Time) string { return span(t.Sub(now)) },
	"seconds": func(s float64) string { return span(time.Duration(s * float64(time.Second))) },
	"utc":     utc, "join": strings.Join, "ownership": ownership, "because": because,
}).ParseFS(web, "web/*.html"))

func toFloat(n any) float64 {
	switch n := n.(type) {
	case int:
		return float64(n)
	case uint64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

func render(name string, v any) []byte {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		return []byte("<p>The page cannot be made: " + template.HTMLEscapeString(err.Error()) + "</p>")
	}
	return b.Bytes()
}

func (s *Server) view(state *State) view {
	return view{State: state, Charts: charts(s.samples.all(), state.At), Settings: s.cfg.Settings,
		Refusals: s.cfg.Refusals()}
}

func (s *Server) renderParts(state *State) []byte { return render("parts.html", s.view(state)) }

func (s *Server) showPage(w http.ResponseWriter, _ *http.Request) {
	writeHTML(w, http.StatusOK, render("page.html", s.view(s.gather.current())))
}

// showLane shows what is known of one lane.
func (s *Server) showLane(w http.ResponseWriter, r *http.Request) {
	lane, ok := s.gather.lane(r.FormValue("name"))
	v := s.view(s.gather.current())
	v.Lane = lane
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	writeHTML(w, status, render("lane.html", v))
}

func writeHTML(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may have gone
}

// serveAsset serves the style sheet, the script and the icon.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	if strings.HasSuffix(name, ".html") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, web, "web/"+name)
}
