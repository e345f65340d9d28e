"""Provinces in Chinese numbers (GB/T 2260): the first two digits of resident ids, and of the place in company codes."""

_IN_EACH_REGION = {
    "1": "12345",
    "2": "123",
    "3": "1234567",
    "4": "123456",
    "5": "01234",
    "6": "12345",
    "7": "1",
    "8": "123",
    "9": "1",
}
PROVINCES = frozenset(region + one for region, ones in _IN_EACH_REGION.items() for one in ones)
"""81, 82 and 83 are residents from Hong Kong, Macau and Taiwan; 91 is abroad."""
