package flows

import _ "embed" // for the schema

//go:embed flow.schema.json
var schema string

// Schema is the JSON Schema of a flow's file.
func Schema() []byte { return []byte(schema) }
