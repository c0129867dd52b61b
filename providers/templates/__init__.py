"""What a provider is made from: a vendor's facts as data, and the fields that its form asks for."""
