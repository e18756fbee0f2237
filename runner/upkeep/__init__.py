"""What is done with a job after it was locked."""
