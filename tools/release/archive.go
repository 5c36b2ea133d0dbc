package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeArchive writes files into an archive: tar.gz, and zip for Windows. Order, owners and times are the same every time.
func writeArchive(name string, t target, at time.Time, files []string) (err error) {
	suffix, write := ".tar.gz", writeTar
	if t.system == "windows" {
		suffix, write = ".zip", writeZip
	}
	file, err := os.Create(name + suffix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file, at, files)
}

func writeTar(to io.Writer, at time.Time, files []string) error {
	packed, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		header := tar.Header{Typeflag: tar.TypeReg, Name: filepath.Base(file), Size: int64(len(content)), Mode: mode(file), ModTime: at, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(&header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), packed.Close())
}

func writeZip(to io.Writer, at time.Time, files []string) error {
	archive := zip.NewWriter(to)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		header := zip.FileHeader{Name: filepath.Base(file), Method: zip.Deflate, Modified: at}
		header.SetMode(os.FileMode(mode(file)))
		entry, err := archive.CreateHeader(&header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// mode is that of a program for the program, and that of a text for the others.
func mode(file string) int64 {
	if strings.HasPrefix(filepath.Base(file), "tracelab") {
		return 0o755
	}
	return 0o644
}

// writeSums writes SHA256SUMS, which sha256sum -c reads.
func writeSums(dir string) error {
	entries, err := os.ReadDir(dir) // in the order of their names
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), entry.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(lines.String()), 0o644)
}
