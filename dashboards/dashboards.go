// Package dashboards holds the Grafana dashboards (*.json) and their provisioning, and checks with a live Prometheus that their expressions
// still find anything.
//
// Expressions returns every PromQL expression of the dashboards and of prometheus/rules.yaml as Grafana and Prometheus would send it; Check
// executes them and names each that finds no series. Nothing else finds a metric that was renamed or misspelt.
package dashboards

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Dashboard is what this package reads of a dashboard in Grafana's classic JSON model.
type Dashboard struct {
	File          string `json:"-"` // the file's base name
	UID           string
	Title         string
	Description   string
	Tags          []string
	SchemaVersion int
	Links         []Link
	Panels        []Panel
	Templating    struct{ List []Variable }
}

// Link leads from a dashboard elsewhere: to all dashboards with some tags, or to a URL.
type Link struct {
	Title, Type, URL, Tooltip string
	Tags                      []string
}

// Variable is a template variable of a dashboard.
type Variable struct {
	Name, Type, Label, Description string
	Query                          string
	AllValue                       string
	IncludeAll                     bool
	Hide                           int // 2: it is not shown, and only goes along to other dashboards
	Datasource                     *Source
}

// Source names a data source.
type Source struct{ Type, UID string }

// Panel is one panel. A panel of type row is a heading.
type Panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Datasource  *Source
	Targets     []Target
	FieldConfig FieldConfig
	Options     struct {
		YAxis  struct{ Unit string } // of a heatmap
		Legend struct{ DisplayMode string }
	}
	Transformations []struct {
		Options struct{ IndexByName map[string]float64 } // of organize: the order of the fields
	}
	Panels []Panel
}

// FieldConfig configures how a panel's fields look.
type FieldConfig struct {
	Defaults struct {
		Unit     string
		NoValue  string   // what is shown where there is no data
		Min, Max *float64 // of the axis; nil follows the data
	}
	Overrides []Override
}

// Override changes the look of some of a panel's fields.
type Override struct {
	Matcher    struct{ ID, Options string } // which fields: byName, byRegexp
	Properties []struct {
		ID    string
		Value any
	}
}

// Target is one query of a panel.
type Target struct {
	RefID        string
	Expr         string // PromQL
	LegendFormat string
	Format       string // time_series (or empty), table, heatmap
	QueryType    string // of a Jaeger data source
	Exemplar     bool
	Instant      bool
	Range        bool
	Datasource   *Source
}

// Load reads the dashboards of a folder, in the order of their file names. It fails when there are none.
func Load(dir string) ([]Dashboard, error) {
	files, err := fs.Glob(os.DirFS(dir), "*.json")
	if err != nil {
		return nil, fmt.Errorf("list the dashboards of %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no dashboards (*.json) in %s", dir)
	}
	all := make([]Dashboard, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		d, err := parse(filepath.Base(file), data)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func parse(file string, data []byte) (Dashboard, error) {
	d := Dashboard{File: file}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("dashboard %s: %w", file, err)
	}
	return d, nil
}
