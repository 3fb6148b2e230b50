"""Networks and filters that draw: colour picture to sketch, sketch to clean line art."""
