package provider

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"livebridge/bridge"
)

// Registered returns all that is registered in a scope, in the order of places.
func Registered(ctx context.Context, r Registry, s Scope) ([]Callback, error) {
	var all []Callback
	list := func(q Query) error {
		some, err := r.List(ctx, q)
		all = append(all, some...)
		return err
	}
	for _, domain := range s.Domains {
		for _, kind := range []bridge.Kind{bridge.KindStream, bridge.KindRecord, bridge.KindSnapshot} {
			if err := list(Query{Kind: kind, Domain: domain}); err != nil {
				return nil, err
			}
		}
	}
	for _, app := range s.RTCApps {
		if err := list(Query{Kind: bridge.KindRTCRecord, App: app}); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b Callback) int { return a.Compare(b.Place) })
	return all, nil
}

// Action is what a Change does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is one step from what is registered to what is wanted.
type Change struct {
	Action Action
	// Callback is the callback as it is registered after a create or an update, and before a delete.
	Callback Callback
	// Fields are what an update changes.
	Fields []FieldChange
}

// FieldChange is the change of one field, as it may be shown: of a key only the id.
type FieldChange struct {
	Name, Before, After string
}

// PlanOptions say how a plan is made.
type PlanOptions struct {
	// KeepOthers leaves callbacks that the file does not name.
	KeepOthers bool
	// RegisterKeys updates callbacks whose key the provider does not show: it may be another one.
	RegisterKeys bool
}

// Plan returns the changes that make what is registered in the file's scope what the file wants, deletions last. Each
// one stands for itself: after a failure, the plan that is made next holds those that are left.
func (f *File) Plan(registered []Callback, o PlanOptions) ([]Change, error) {
	var changes, deletions []Change
	taken := make(map[Place]bool)
	for i := range f.Callbacks {
		wanted := f.Callbacks[i].Callback
		taken[wanted.Place] = true
		at := slices.IndexFunc(registered, func(c Callback) bool { return c.Place == wanted.Place })
		if at < 0 {
			if err := wanted.Check(); err != nil {
				return nil, fmt.Errorf("%v: %w", wanted.Place, err)
			}
			changes = append(changes, Change{Action: Create, Callback: wanted})
			continue
		}
		after := merge(wanted, registered[at])
		if fields := differences(registered[at], after, o.RegisterKeys); len(fields) > 0 {
			changes = append(changes, Change{Update, after, fields})
		}
	}
	for n, c := range registered {
		extra := !taken[c.Place] || n > 0 && registered[n-1].Place == c.Place
		if extra && !o.KeepOthers && c.URL != "" {
			deletions = append(deletions, Change{Action: Delete, Callback: c})
		}
	}
	return append(changes, deletions...), nil
}

// merge returns what is wanted with what only the provider knows, and with what is registered where nothing is said.
func merge(wanted, registered Callback) Callback {
	wanted.ID, wanted.Created, wanted.Updated = registered.ID, registered.Created, registered.Updated
	if wanted.Area == "" {
		wanted.Area = registered.Area
	}
	if registered.Pictures == nil {
		return wanted
	}
	if wanted.Pictures == nil {
		wanted.Pictures = registered.Pictures
		return wanted
	}
	p := *wanted.Pictures
	p.Extra = nil
	for _, from := range []map[string]string{registered.Pictures.Extra, wanted.Pictures.Extra} {
		for name, text := range from {
			if p.Extra == nil {
				p.Extra = make(map[string]string)
			}
			p.Extra[name] = text
		}
	}
	wanted.Pictures = &p
	return wanted
}

// differences returns the fields that differ. A key that the provider does not show differs only if it is to.
func differences(before, after Callback, registerKeys bool) []FieldChange {
	var all []FieldChange
	add := func(name, b, a string) {
		if b != a {
			all = append(all, FieldChange{name, b, a})
		}
	}
	add("url", before.URL, after.URL)
	if before.KeyHidden {
		if registerKeys {
			add("key", before.KeyText(), after.KeyText())
		}
	} else if before.Key.Reveal() != after.Key.Reveal() {
		all = append(all, FieldChange{"key", before.KeyText(), after.KeyText()})
	}
	add("sign_type", string(before.SignType), string(after.SignType))
	add("events", eventsText(before.Events), eventsText(after.Events))
	add("call_back_area", string(before.Area), string(after.Area))
	b, a := before.Pictures.texts(), after.Pictures.texts()
	for i := range a {
		add(a[i][0], b[i][1], a[i][1])
	}
	return all
}

// eventsText returns events in the order in which they happen.
func eventsText(events []string) string {
	sorted := slices.Clone(events)
	slices.SortFunc(sorted, func(a, b string) int {
		return slices.Index(recordEvents, a) - slices.Index(recordEvents, b)
	})
	return strings.Join(sorted, ", ")
}

// texts returns the fields' names and values.
func (p *Pictures) texts() [][2]string {
	if p == nil {
		p = &Pictures{}
	}
	return [][2]string{
		{"interval", strconv.Itoa(p.Interval)}, {"overwrite", strconv.FormatBool(p.Overwrite)}, {"bucket", p.Bucket},
		{"location", p.Location}, {"object", p.Object}, {extraMode, p.Extra[extraMode]},
		{extraFormat, p.Extra[extraFormat]}, {extraProtocol, p.Extra[extraProtocol]}, {extraDomain, p.Extra[extraDomain]},
	}
}

// Do makes the change.
func (c Change) Do(ctx context.Context, r Registry) error {
	var err error
	switch c.Action {
	case Create:
		_, err = r.Create(ctx, c.Callback)
	case Update:
		_, err = r.Update(ctx, c.Callback)
	case Delete:
		err = r.Delete(ctx, c.Callback)
	}
	return err
}
