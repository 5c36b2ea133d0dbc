package main

import (
	"tracelab/lab"
	"tracelab/lab/links"
	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// parseFaults reads what --fault says.
func parseFaults(f *flows.Flow, texts []string) ([]faults.Fault, error) {
	var list []faults.Fault
	for _, text := range services.SplitFaults(texts) {
		fault, err := services.ParseFault(f, text)
		if err != nil {
			return nil, err
		}
		list = append(list, fault)
	}
	return list, nil
}

// parseLinks reads what --link says.
func parseLinks(f *flows.Flow, texts []string) ([]links.Link, error) {
	var list []links.Link
	for _, text := range lab.SplitLinks(texts) {
		link, err := lab.ParseLink(f, text)
		if err != nil {
			return nil, err
		}
		list = append(list, link)
	}
	return list, nil
}

// parseConditions reads what --fault, --link and --relation say of a lab that stays up.
func parseConditions(config *lab.Config, fault, link []string, relation string) (err error) {
	if config.Faults, err = parseFaults(config.Flow, fault); err != nil {
		return err
	}
	if config.Links, err = parseLinks(config.Flow, link); err != nil {
		return err
	}
	config.Relation, err = services.ParseRelation(relation)
	return err
}
