"""Drawing: from pictures to sketches and clean line art."""
