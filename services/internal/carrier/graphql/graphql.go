// Package graphql runs the calls that a service could make side by side as the fields of one query, in process: the schema has a field for
// each step, and a field's resolver makes the call. What carries the call is the resolver's business.
package graphql

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	gql "github.com/graph-gophers/graphql-go"
	"github.com/graph-gophers/graphql-go/log"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
)

// Resolve does what a step says.
type Resolve func(ctx context.Context, step string) error

// Schema answers queries whose fields are steps.
type Schema struct {
	schema    *gql.Schema
	operation string
}

// New makes a schema with a field for each step, SERVICE.Verb. The operation is the name of its queries.
func New(operation string, steps []string, provider *telemetry.Provider) (*Schema, error) {
	var text strings.Builder
	text.WriteString("type Query {\n")
	var fields []reflect.StructField
	for i, step := range steps {
		fmt.Fprintf(&text, "  %s: Boolean\n", Field(step))
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("Step%d", i), Type: reflect.TypeFor[resolver](), Tag: reflect.StructTag(`graphql:"` + Field(step) + `"`)})
	}
	text.WriteString("}\n")
	root := reflect.New(reflect.StructOf(fields)) // graphql-go wants a pointer
	for i, step := range steps {
		root.Elem().Field(i).Set(reflect.ValueOf(resolver(func(ctx context.Context) (*bool, error) { return resolve(ctx, step) })))
	}
	name := strings.ReplaceAll(operation, "-", "_")
	schema, err := gql.ParseSchema(text.String(), root.Interface(), gql.UseFieldResolvers(), gql.MaxParallelism(len(steps)),
		gql.Tracer(tracer{provider.Tracer}), gql.Logger(log.LoggerFunc(func(ctx context.Context, panicked any) {
			provider.Log.ErrorContext(ctx, "resolver panicked", "panic", panicked, "stack", string(debug.Stack()))
		})))
	if err != nil {
		return nil, fmt.Errorf("graphql schema of %s: %w", operation, err)
	}
	return &Schema{schema: schema, operation: name}, nil
}

// resolver is a field of the root: graphql-go calls it as it would call a method.
type resolver func(context.Context) (*bool, error)

// Field is the name of a step's field: accountsRead for accounts.Read.
func Field(step string) string {
	service, verb, _ := strings.Cut(step, ".")
	return strings.ReplaceAll(service, "-", "_") + verb
}

// resolveKey is where a query's context has its Resolve: the schema is made once for all queries.
type resolveKey struct{}

func resolve(ctx context.Context, step string) (*bool, error) {
	if err := ctx.Value(resolveKey{}).(Resolve)(ctx, step); err != nil {
		return nil, err
	}
	done := true
	return &done, nil
}

// Run asks for the steps in one query, and resolves them side by side. It returns when all have ended. The error is about the query: a
// resolver knows itself how it ended. When the context has ended, further fields are not resolved.
func (s *Schema) Run(ctx context.Context, steps []string, resolve Resolve) error {
	answer := s.schema.Exec(context.WithValue(ctx, resolveKey{}, resolve), s.document(steps), s.operation, nil)
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("query %s: %w", s.operation, err)
	}
	for _, err := range answer.Errors {
		if err.ResolverError == nil {
			return carrier.Fail("", carrier.Internal, err.Error())
		}
	}
	return nil
}

// document is the query for steps.
func (s *Schema) document(steps []string) string {
	var b strings.Builder
	b.WriteString("query " + s.operation + " {")
	for _, step := range steps {
		b.WriteString(" " + Field(step))
	}
	b.WriteString(" }")
	return b.String()
}
