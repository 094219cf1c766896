"""Video in: pictures, and the motion of the face seen in them."""
