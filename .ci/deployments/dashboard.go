package main

import (
	"encoding/json"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// row is a row of panels that answer one question.
type row struct {
	title  string
	panels []panel
}

// panel is one panel of the dashboard. A stat shows the last value of its only query; its colour changes from green to
// red at limit, or below it with low.
type panel struct {
	title, about, unit string
	stat               bool
	limit              float64
	low                bool
	stacked            bool
	queries            []query
}

// query is a PromQL expression. SELECTOR in it stands for the variables of the dashboard.
type query struct{ expr, legend string }

// selector restricts every metric to what is chosen at the top of the dashboard.
const selector = `job=~"$job",instance=~"$instance"`

// dashboardJSON returns the dashboard as Grafana imports it.
func dashboardJSON() (string, error) {
	builder := dashboard.NewDashboardBuilder("livebridge").
		Uid("livebridge").
		Description("Callbacks in, events out, and what waits between them. Alerts and what to do: the operator's handbook.").
		Tags([]string{"livebridge"}).
		Refresh("30s").
		Time("now-3h", "now").
		Timezone(common.TimeZoneBrowser).
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus")).
		WithVariable(labelVariable("job", "label_values(livebridge_build_info, job)")).
		WithVariable(labelVariable("instance", `label_values(livebridge_build_info{job=~"$job"}, instance)`))
	id := uint32(0)
	next := func() uint32 { id++; return id }
	for _, r := range rows() {
		builder = builder.WithRow(dashboard.NewRowBuilder(r.title).Id(next()))
		for _, p := range r.panels {
			builder = builder.WithPanel(p.builder(next()))
		}
	}
	board, err := builder.Build()
	if err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(board, "", "  ")
	return string(text) + "\n", err
}

func labelVariable(name, query string) cog.Builder[dashboard.VariableModel] {
	return dashboard.NewQueryVariableBuilder(name).
		Datasource(datasource()).
		Query(dashboard.StringOrMap{String: &query}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Multi(true).IncludeAll(true).AllValue(".*")
}

// datasource is the one that is chosen at the top.
func datasource() common.DataSourceRef {
	kind, uid := "prometheus", "${datasource}"
	return common.DataSourceRef{Type: &kind, Uid: &uid}
}

func (p panel) builder(id uint32) cog.Builder[dashboard.Panel] {
	if p.stat {
		b := stat.NewPanelBuilder().Id(id).Title(p.title).Description(p.about).Unit(p.unit).Datasource(datasource()).
			Span(4).
			Height(4).
			Thresholds(p.thresholds()).GraphMode(common.BigValueGraphModeNone).Orientation(common.VizOrientationAuto).
			ColorMode(common.BigValueColorModeBackground).
			ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}))
		for _, q := range p.queries {
			b = b.WithTarget(q.target())
		}
		return b
	}
	b := timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.about).Unit(p.unit).Datasource(datasource()).
		Span(8).Height(8).Min(0).FillOpacity(10).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).Placement(common.LegendPlacementBottom).
			DisplayMode(common.LegendDisplayModeList))
	if p.stacked {
		b = b.Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
	}
	for _, q := range p.queries {
		b = b.WithTarget(q.target())
	}
	return b
}

// thresholds colours a stat green and, from its limit on or below it, red.
func (p panel) thresholds() cog.Builder[dashboard.ThresholdsConfig] {
	first, then := "green", "red"
	if p.low {
		first, then = then, first
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).
		Steps([]dashboard.Threshold{{Color: first}, {Color: then, Value: &p.limit}})
}

func (q query) target() *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().Expr(q.expression()).LegendFormat(q.legend).Datasource(datasource())
}
