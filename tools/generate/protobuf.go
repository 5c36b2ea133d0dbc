package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

// compile turns .proto files into the request that protoc sends its plugins: the files to generate for, and these files
// with everything they import, each import before its importer. Source info is kept, because comments travel in it.
func compile(ctx context.Context, root string, protos []string) (*pluginpb.CodeGeneratorRequest, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(ctx, protos...)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: protos,
		Parameter:      proto.String("paths=source_relative"),
	}
	seen := map[string]bool{}
	for _, f := range compiled {
		addFile(request, seen, f)
	}
	return request, nil
}

// addFile appends what f imports, then f itself, each file once.
func addFile(request *pluginpb.CodeGeneratorRequest, seen map[string]bool, f protoreflect.FileDescriptor) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	imports := f.Imports()
	for i := range imports.Len() {
		addFile(request, seen, imports.Get(i).FileDescriptor)
	}
	request.ProtoFile = append(request.ProtoFile, protoutil.ProtoFromFileDescriptor(f))
}

// runPlugin runs a tool of this module as protoc would: the request on its standard input, the response on its standard output.
func runPlugin(ctx context.Context, name string, request *pluginpb.CodeGeneratorRequest) ([]file, error) {
	input, err := proto.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("%s: encode request: %w", name, err)
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, "go", "tool", name)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(stdout.Bytes(), &response); err != nil {
		return nil, fmt.Errorf("%s: decode response: %w", name, err)
	}
	if response.Error != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.New(response.GetError()))
	}
	files := make([]file, 0, len(response.File))
	for _, f := range response.File {
		files = append(files, file{path: f.GetName(), content: []byte(f.GetContent())})
	}
	return files, nil
}
