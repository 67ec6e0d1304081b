"""What a stack costs a month: rates from a dated file, usage from a rate of events or the stack's own metrics."""
