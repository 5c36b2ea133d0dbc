package services

// Item is one thing that can be ordered.
type Item struct {
	SKU   string
	Price uint32 // in cents
	// Shelf is how many there are for one order. The shelf is filled again between orders, so that an order's fate
	// depends on the order alone and not on which form came first.
	Shelf uint32
}

// Catalogue lists what can be ordered.
func Catalogue() []Item {
	return []Item{
		{"tea-green", 590, 1000},
		{"tea-black", 490, 1000},
		{"cup", 1250, 1000},
		{"kettle", 4900, 3},
	}
}

// MaxQuantity is the most of one item that an order may ask for.
const MaxQuantity = 1000

func itemOf(sku string) (Item, bool) {
	for _, item := range Catalogue() {
		if item.SKU == sku {
			return item, true
		}
	}
	return Item{}, false
}
