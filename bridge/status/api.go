package status

import (
	"encoding/json"
	"net/http"
)

// serveAPI serves the page's content as JSON, as openapi.json describes it.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/v1/status":
		writeJSON(w, http.StatusOK, s.gather.current())
	case "/api/v1/sessions":
		writeJSON(w, http.StatusOK, s.gather.current().Sessions)
	case "/api/v1/samples":
		writeJSON(w, http.StatusOK, s.samples.all())
	case "/api/v1/refusals":
		writeJSON(w, http.StatusOK, append([]Refusal{}, s.cfg.Refusals()...))
	case "/api/v1/settings":
		writeJSON(w, http.StatusOK, append([]Setting{}, s.cfg.Settings...))
	case "/api/v1/lane":
		s.serveLane(w, r)
	case "/api/v1/openapi.json":
		w.Header().Set("Content-Type", "application/json")
		http.ServeFileFS(w, r, web, "web/openapi.json")
	default:
		writeProblem(w, http.StatusNotFound, "no such path; see /api/v1/openapi.json")
	}
}

func (s *Server) serveLane(w http.ResponseWriter, r *http.Request) {
	lane, ok := s.gather.lane(r.FormValue("name"))
	if !ok {
		writeProblem(w, http.StatusNotFound, "name is not that of a lane; use kind:domain/app/stream, such as "+
			"stream:push.example.com/live/room1")
		return
	}
	writeJSON(w, http.StatusOK, lane)
}

// Problem is the body of an error.
type Problem struct {
	Error string `json:"error"`
}

func writeProblem(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, Problem{text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}
