// Package claims has the recorded ledger of all claims, for pages that show it beside a run of one's own.
package claims

import "embed"

// Record is the folder of the record, without its journeys.
//
//go:embed *.json
var Record embed.FS
