package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"livebridge/bridge/provider"
)

// printCallbacks prints callbacks: as a table, as one JSON line each, or as a YAML list.
func printCallbacks(w io.Writer, all []provider.Callback, output outputFormat) error {
	switch {
	case output == "yaml":
		return provider.WriteYAML(w, all)
	case !output.table(w):
		return printJSON(w, all)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tDOMAIN\tAPP\tURL\tKEY\tSIGNED\tEVENTS")
	for i := range all {
		c := &all[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Kind, dash(c.Domain), dash(c.App), dash(c.URL), c.KeyText(),
			dash(string(c.SignType)), dash(strings.Join(c.Events, ",")))
	}
	return t.Flush()
}

// printJSON prints one line each.
func printJSON[T any](w io.Writer, all []T) error {
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	for i := range all {
		if err := j.Encode(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// dash returns text that comes from the provider for a cell of a table.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

// printCallback prints one callback with everything that is known of it.
func printCallback(w io.Writer, c provider.Callback, output outputFormat) error {
	switch {
	case output == "yaml":
		return provider.WriteYAML(w, c)
	case !output.table(w):
		return printJSON(w, []provider.Callback{c})
	}
	lines := [][2]string{
		{"kind", c.Kind.String()}, {"domain", c.Domain}, {"app", c.App}, {"id", c.ID}, {"url", c.URL},
		{"key", c.KeyText()}, {"signed", string(c.SignType)}, {"events", strings.Join(c.Events, ", ")},
		{"area", string(c.Area)}, {"created", since(c.Created)}, {"updated", since(c.Updated)},
	}
	if p := c.Pictures; p != nil {
		lines = append(lines, [2]string{"pictures", fmt.Sprintf("every %d s to %s/%s (%s), overwrite %v",
			p.Interval, p.Bucket, p.Object, p.Location, p.Overwrite)})
	}
	for _, line := range lines {
		if line[1] != "" {
			fmt.Fprintf(w, "%-10s %s\n", line[0], printable(line[1]))
		}
	}
	return nil
}
