package status

import "livebridge/bridge"

// maxFates is how many events of a lane are shown.
const maxFates = 50

// history returns what the journal knows of a lane's events, the latest. It reads two pages at the most.
func (g *gatherer) history(kind, subject string) (h History) {
	h.Events = []Fate{}
	stats, err := g.cfg.Journal.Inspect()
	h.Kept = stats.History != nil && stats.History.Keep != ""
	q := bridge.HistoryQuery{EventFilter: bridge.EventFilter{Kind: kind, Lane: subject}, Newest: true, Limit: maxFates}
	for _, page := range []func(bridge.HistoryQuery) (bridge.HistoryPage, error){
		g.cfg.Journal.Unpublished, g.cfg.Journal.History} {
		var p bridge.HistoryPage
		if err == nil {
			p, err = page(q)
		}
		h.add(p)
	}
	if err != nil {
		h.Problem = err.Error()
	}
	return h
}

// add adds a page, as far as there is room.
func (h *History) add(p bridge.HistoryPage) {
	h.More = h.More || p.Cursor != nil
	for i := range p.Events {
		if len(h.Events) == maxFates {
			h.More = true
			return
		}
		h.Events = append(h.Events, fateOf(&p.Events[i]))
	}
}

func fateOf(f *bridge.Fate) Fate {
	shown := Fate{State: f.State, Type: f.Type, ID: f.ID, Sequence: f.Sequence, Marks: append([]string{}, f.Marks...),
		Received: f.Received, Published: f.Published}
	if f.Position != nil {
		shown.Where = f.Position.String()
	}
	return shown
}
