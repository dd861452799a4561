"""The figures of the book From Hard to Soft, built on betavq's public functions alone."""
