package batches

// Untold reports whether the client has stopped a partition, and has not told of it.
func (g *Guard) Untold(topic string, partition int32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stopped[place{topic, partition}] != nil
}
