package source

// WithLongFrom sets from how many bytes on an object is read through a window.
func WithLongFrom(bytes int) ReadOption { return func(o *readOptions) { o.longFrom = bytes } }
